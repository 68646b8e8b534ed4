"""sysfs: what libraries ask /sys for: processors, memory pages, control groups, interfaces."""
