"""Steps of params.yaml in the words of other trainers. A module for each: METHODS, TABLE and `files`."""
