// libapparmor: whether the kernel has AppArmor, and where it shows its state.
#pragma once
#include <stdlib.h>
#include <sys/apparmor.h>
