"""The sections of `params.yaml` as typed structs, one chapter a module. No defaults: values live in `params.yaml`."""
