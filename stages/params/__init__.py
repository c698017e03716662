"""The typed form of `params.yaml`, one file a chapter. Values live in `params.yaml` only: no defaults here."""
