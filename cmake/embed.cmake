# Files as C arrays. usage: cmake -DROOT=FOLDER -DFILES=a|b/c|... -DNAME=table -DOUT=file.c
#   [-DGZIP=gzip] -P embed.cmake
# OUT defines `const oci_embedded NAME[]` (src/serve/embedded_int.h): a row a file, a zero row last.
# Where gzip is given and makes a file smaller, its row has that as well.
cmake_minimum_required(VERSION 3.25)

# bytes_of(VARIABLE FILE): "0x12,0x34,..." with a zero behind the last, for C has no empty arrays
function(bytes_of out file)
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(................................................................)" "\\1\n"
    hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  set(${out} "${hex}0" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
set(i 0)
string(REPLACE "|" ";" files "${FILES}")
foreach(name IN LISTS files)
  set(file "${ROOT}/${name}")
  file(SIZE "${file}" size)
  file(SHA256 "${file}" digest)
  string(SUBSTRING "${digest}" 0 16 tag)
  bytes_of(bytes "${file}")
  string(APPEND arrays "static const unsigned char plain_${i}[] = {\n${bytes}};\n")
  set(packed "NULL, 0")
  if(GZIP)
    execute_process(COMMAND "${GZIP}" -9nc "${file}" OUTPUT_FILE "${OUT}.gz" COMMAND_ERROR_IS_FATAL ANY)
    file(SIZE "${OUT}.gz" packed_size)
    if(packed_size LESS size)
      bytes_of(bytes "${OUT}.gz")
      string(APPEND arrays "static const unsigned char packed_${i}[] = {\n${bytes}};\n")
      set(packed "packed_${i}, ${packed_size}")
    endif()
    file(REMOVE "${OUT}.gz")
  endif()
  string(APPEND rows "    {\"/${name}\", \"${tag}\", plain_${i}, ${size}, ${packed}},\n")
  math(EXPR i "${i} + 1")
endforeach()

file(WRITE "${OUT}" "/* Made by cmake/embed.cmake. */
#include \"serve/embedded_int.h\"

${arrays}
const oci_embedded ${NAME}[] = {
${rows}    {NULL, NULL, NULL, 0, NULL, 0}};
")
