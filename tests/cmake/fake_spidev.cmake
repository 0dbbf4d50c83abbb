# Stands in for the SPI bus and the GPIO pins in front of the real program; no sanitizer may instrument what is loaded before its runtime.
add_library(fake-spidev MODULE ${CMAKE_SOURCE_DIR}/tests/preload/fake_spidev.cpp)
target_compile_options(fake-spidev PRIVATE -fno-sanitize=all)
target_link_options(fake-spidev PRIVATE -fno-sanitize=all)
target_link_libraries(fake-spidev PRIVATE sb_warnings ${CMAKE_DL_LIBS})
add_dependencies(test-e2e fake-spidev dbus-serialbattery)
