#!/usr/bin/python3
"""Says hello, and who and where it is."""

import os
import platform

print("Hello from a container!")
print(f"Python {platform.python_version()}, process {os.getpid()}, user {os.getuid()}")
with open("/etc/debian_version") as version:
    print(f"Debian {version.read().strip()}, kernel {platform.release()}")
