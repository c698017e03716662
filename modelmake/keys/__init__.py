"""Keys of stages: hashes of the code, data files and locked packages that a stage reaches."""
