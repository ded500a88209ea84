# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v lost=N -f shutdown.awk LOG
#
# Fails if the job that was in flight when the guest went down, see
# guest/shutdown, has not ended with ENODEV, if the engine was not taken for one
# that does not stop N times, or if all of it took too long.

# In seconds: one that hangs is waited for and tried once more, each for the
# timeout in guest/shutdown; and some time for a busy host.
BEGIN { FS = "[][ ]+"; bound = 2 * 10 + 10 }

/copies are in flight/ { begun = $2 }
/dmacpy_job_done:/ { unbound += /=-19\r?$/; others += !/=-19\r?$/ }
/the engine does not stop/ { kept++ }
/reboot: Restarting system/ { ended = $2 }

END {
	printf "# %d jobs ended with ENODEV, %d with something else, %d lost, " \
	       "in %.1f s\n", unbound, others, kept, ended - begun
	exit !(unbound == 1 && !others && kept + 0 == lost && begun && ended &&
	       ended - begun <= bound)
}
