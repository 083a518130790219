"""What engines and packaging both do on this machine: find and end processes, show folders."""
