# How a room, a test and a fuzz target are declared.
add_library(oc_flags INTERFACE)
target_include_directories(oc_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(oc_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE
  OC_VERSION="${PROJECT_VERSION}")
target_compile_options(oc_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings -fno-math-errno -fno-trapping-math)
if(OC_WERROR)
  target_compile_options(oc_flags INTERFACE -Werror)
endif()
if(OC_SANITIZE)
  target_compile_options(oc_flags INTERFACE -fsanitize=${OC_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(oc_flags INTERFACE -fsanitize=${OC_SANITIZE})
  target_compile_definitions(oc_flags INTERFACE OC_SANITIZED=1)
endif()

# oc_room(NAME name SOURCES a.c ... ROOMS rooms below ... LIBS libraries ...)
function(oc_room)
  cmake_parse_arguments(R "" "NAME" "SOURCES;ROOMS;LIBS" ${ARGN})
  add_library(oc_${R_NAME} STATIC ${R_SOURCES})
  list(TRANSFORM R_ROOMS PREPEND oc_)
  target_link_libraries(oc_${R_NAME} PUBLIC oc_flags ${R_ROOMS} ${R_LIBS})
endfunction()

# oc_test(name ROOMS rooms ... [LIBS ...] [LABELS ...] [ARGS ...]): tests/<room>/<name>.c with cmocka.
function(oc_test name)
  cmake_parse_arguments(T "" "" "ROOMS;LIBS;LABELS;ARGS" ${ARGN})
  add_executable(${name} ${name}.c)
  list(TRANSFORM T_ROOMS PREPEND oc_)
  target_link_libraries(${name} PRIVATE ${T_ROOMS} ${T_LIBS} cmocka m)
  target_compile_definitions(${name} PRIVATE OC_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name} ${T_ARGS})
  if(T_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}")
  endif()
endfunction()

# oc_test_limited(name ISA [LABELS ...]): the test once more, as on a processor with no more than ISA
# (as oneDNN calls them: SSE41, AVX); its name there is <name>_<isa>.
function(oc_test_limited name isa)
  string(TOLOWER ${name}_${isa} limited)
  add_test(NAME ${limited} COMMAND ${name})
  set_tests_properties(${limited} PROPERTIES
    ENVIRONMENT "ONEDNN_MAX_CPU_ISA=${isa};DNNL_MAX_CPU_ISA=${isa}" LABELS "${ARGN}")
endfunction()

# oc_fuzz(name ROOMS ...): fuzz/<name>.c as a libFuzzer target; seeds in fuzz/seeds/<name>/.
function(oc_fuzz name)
  cmake_parse_arguments(F "" "" "ROOMS;LIBS" ${ARGN})
  add_executable(${name} ${name}.c)
  list(TRANSFORM F_ROOMS PREPEND oc_)
  target_link_libraries(${name} PRIVATE ${F_ROOMS} ${F_LIBS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
