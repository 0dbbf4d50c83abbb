# sb_layer(NAME DIR folder [OBJECT] [LINKS ...]): a library of all .cpp files of a folder.
# OBJECT for the drivers: they register themselves, and a linker would drop objects of a static library that nobody calls.
function(sb_layer name)
  cmake_parse_arguments(ARG "OBJECT" "DIR" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_DIR}/*.cpp)
  if(ARG_OBJECT)
    add_library(sb_${name} OBJECT ${sources})
  else()
    add_library(sb_${name} STATIC ${sources})
  endif()
  target_include_directories(sb_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(sb_${name} PUBLIC sb_base sb_pch ${ARG_LINKS})
  target_precompile_headers(sb_${name} REUSE_FROM sb_pch)
endfunction()
