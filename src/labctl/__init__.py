"""labctl: one YAML file in; a running, verified VXLAN/EVPN fabric on libvirt/KVM out."""

__version__ = "0.1.0"
