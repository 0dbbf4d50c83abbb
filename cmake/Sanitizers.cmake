# For the preset dev: memory errors and undefined behaviour end a test. Left out of "undefined" is what the address sanitizer finds too
# or what a driver can only do wrong with a cast that we don't use; these checks stand at every pointer and cost a third of the build.
# The fuzz targets (preset fuzz) have them all.
add_compile_options(-O0 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS
  -fsanitize=address,undefined -fno-sanitize=null,alignment,vptr,object-size,pointer-overflow -fno-sanitize-recover=all)
add_link_options(-fsanitize=address,undefined)
