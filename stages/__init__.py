"""What runs inside the graph: one module a stage, named by its verb."""
