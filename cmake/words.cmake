# Texts of the page's catalogue as a C table, for what the server itself writes as a page.
# usage: cmake -DHEADER=words_int.h -DCATALOGUE=catalogue.json -DOUT=file.c -P words.cmake
# OUT defines `const oci_language oci_languages[]`: a row a language with the words that X(NAME, "key")
# in HEADER asks for, and a zero row last.
cmake_minimum_required(VERSION 3.25)

file(READ "${CATALOGUE}" catalogue)
file(READ "${HEADER}" header)
string(REGEX MATCHALL "X\\([A-Z_]+, \"[^\"]+" wanted "${header}")
string(JSON languages LENGTH "${catalogue}" languages)
math(EXPR last "${languages} - 1")

set(rows "")
foreach(i RANGE ${last})
  string(JSON code MEMBER "${catalogue}" languages ${i})
  string(JSON dir ERROR_VARIABLE none GET "${catalogue}" languages ${code} dir)
  if(none)
    set(dir ltr)
  endif()
  string(APPEND rows "    {.code = \"${code}\", .dir = \"${dir}\", .words = {\n")
  foreach(one IN LISTS wanted)
    string(REGEX MATCH "X\\(([A-Z_]+), \"(.+)" one "${one}")
    set(name ${CMAKE_MATCH_1})
    string(JSON text GET "${catalogue}" texts ${CMAKE_MATCH_2} ${code})
    string(REGEX REPLACE "([\\\\\"])" "\\\\\\1" text "${text}")
    string(APPEND rows "        [OCI_WORD_${name}] = \"${text}\",\n")
  endforeach()
  string(APPEND rows "    }},\n")
endforeach()

file(WRITE "${OUT}" "/* Made by cmake/words.cmake. */
#include \"serve/words_int.h\"

const oci_language oci_languages[] = {
${rows}    {.code = 0}};
")
