"""The one place that builds adapters from the configuration, and the program's entry point."""
