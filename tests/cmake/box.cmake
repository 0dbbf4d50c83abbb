# Tests of installation and packages: shell scripts that need root (mount namespaces) and some packages; without them they are skipped.
#   ctest -L box      installation on a GX device in a box, with a package for this machine
#   ctest -L arm      the packages for devices under QEMU (after scripts/package)
set(SB_PACKAGES ${CMAKE_SOURCE_DIR}/build/package)

# sb_box_test(NAME name LABEL label SCRIPT file [ARGS ...])
function(sb_box_test)
  cmake_parse_arguments(ARG "" "NAME;LABEL;SCRIPT" "ARGS" ${ARGN})
  add_test(NAME ${ARG_LABEL}/${ARG_NAME} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/box/${ARG_SCRIPT} ${ARG_ARGS})
  set_tests_properties(${ARG_LABEL}/${ARG_NAME} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT "SB_TOOLS=${CMAKE_CURRENT_BINARY_DIR};SB_PACKAGES=${SB_PACKAGES}")
endfunction()

# They are about what is installed, which is the optimised program.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_CROSSCOMPILING)
  # A package of what was just built, for the tests on this machine.
  add_test(NAME box/package COMMAND ${CMAKE_SOURCE_DIR}/scripts/package native)
  set_tests_properties(box/package PROPERTIES LABELS box FIXTURES_SETUP native-package TIMEOUT 300)

  sb_box_test(NAME install LABEL box SCRIPT install.sh)
  sb_box_test(NAME interrupted LABEL box SCRIPT interrupted.sh)
  sb_box_test(NAME services LABEL box SCRIPT services.sh)
  sb_box_test(NAME manual LABEL box SCRIPT manual.sh)
  sb_box_test(NAME overlay LABEL box SCRIPT overlay.sh)
  sb_box_test(NAME documents LABEL box SCRIPT docs.sh)
  sb_box_test(NAME usb-stick LABEL box SCRIPT usb.sh)
  foreach(layout old copied apps)
    sb_box_test(NAME migration-${layout} LABEL box SCRIPT migration.sh ARGS ${layout})
  endforeach()
  sb_box_test(NAME empty-root LABEL box SCRIPT bundle.sh ARGS native)
  set_tests_properties(box/install box/interrupted box/services box/manual box/overlay box/documents box/usb-stick box/migration-old box/migration-copied box/migration-apps box/empty-root
    PROPERTIES FIXTURES_REQUIRED native-package)

  sb_box_test(NAME armhf LABEL arm SCRIPT bundle.sh ARGS armhf)
  sb_box_test(NAME aarch64 LABEL arm SCRIPT bundle.sh ARGS aarch64)
endif()
