# How fast the battery is there, and with how much memory: figures of the optimised program. Times with room for a machine that does other
# things at the same time.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME bench/first-soc COMMAND first-soc --slack 6)
  set_tests_properties(bench/first-soc PROPERTIES LABELS bench TIMEOUT 300)
endif()
