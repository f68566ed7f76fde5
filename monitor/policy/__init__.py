"""The Federation's rules: models that read and check the TOML files of the folder policy/."""
