"""What `modelmake init` proposes for somebody's files: a recipe, each of its values with a reason."""
