"""What tests stand on: a private libvirtd and an in-memory hypervisor (pytest plugins)."""
