# For the packages (scripts/package): as few shared libraries as possible travel with the program. spdlog and fmt as headers only, inih and
# Boost as static libraries. What stays shared is sdbus-c++ with its sd-bus, the C++ library and glibc, for which Debian has no static form.
set_target_properties(spdlog::spdlog_header_only PROPERTIES INTERFACE_LINK_LIBRARIES "Threads::Threads;fmt::fmt-header-only")
set(SB_SPDLOG spdlog::spdlog_header_only)

find_library(SB_INIH_STATIC libinih.a REQUIRED)
set_target_properties(PkgConfig::inih PROPERTIES INTERFACE_LINK_LIBRARIES ${SB_INIH_STATIC})

# No path of the building machine in the program, and nothing that nobody calls.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}=." -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,--build-id=none)
