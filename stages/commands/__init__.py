"""The `modelmake` command and those of its subcommands that know the stages."""
