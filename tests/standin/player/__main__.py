print("hello from the player")
import time
print(open("/proc/uptime").read())
time.sleep(3600)
