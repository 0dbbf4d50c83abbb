# Cross-compilation for the machines on which Venus OS runs, against a sysroot of Debian's packages. Set by the presets armhf and aarch64:
#   TRIPLET  arm-linux-gnueabihf or aarch64-linux-gnu
#   SYSROOT  folder made by scripts/package
set(CMAKE_SYSTEM_NAME Linux)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TRIPLET SYSROOT)  # else try_compile loses them

if(TRIPLET MATCHES "^arm-")
  set(CMAKE_SYSTEM_PROCESSOR arm)
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static -L ${SYSROOT})
else()
  set(CMAKE_SYSTEM_PROCESSOR aarch64)
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${SYSROOT})
endif()

set(CMAKE_C_COMPILER ${TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${TRIPLET}-g++)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)  # remarks about a change of the 32-bit calling convention in GCC 7.1
set(CMAKE_LIBRARY_ARCHITECTURE ${TRIPLET})

set(CMAKE_SYSROOT ${SYSROOT})
set(CMAKE_FIND_ROOT_PATH ${SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${SYSROOT}/usr/lib/${TRIPLET}/pkgconfig:${SYSROOT}/usr/share/pkgconfig)
