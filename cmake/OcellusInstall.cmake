# What `cmake --install` puts where, and libocellus: the rooms up to `predict` in one shared library
# that shows only the functions of include/ocellus.
include(GNUInstallDirs)

set_target_properties(oc_base oc_tensor oc_image oc_nn oc_engine oc_data oc_model oc_predict
  PROPERTIES POSITION_INDEPENDENT_CODE ON)

# The two files that define the public functions; they pull the rest out of the rooms.
add_library(libocellus SHARED src/predict/ocellus.c src/base/status.c)
set(exports ${CMAKE_SOURCE_DIR}/cmake/libocellus.map)
target_link_libraries(libocellus PRIVATE oc_predict)
target_link_options(libocellus PRIVATE LINKER:--version-script=${exports} LINKER:--gc-sections)
if(NOT OC_SANITIZE)
  target_link_options(libocellus PRIVATE LINKER:--no-undefined)
endif()
set_target_properties(libocellus PROPERTIES OUTPUT_NAME ocellus VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${exports})

# pkg-config finds the prefix from where its file lies, so that the tree may be moved.
file(RELATIVE_PATH OC_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/ocellus.pc.in ocellus.pc @ONLY)

install(TARGETS ocellus RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS libocellus LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ocellus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ocellus.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/man/ocellus.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# A hardened unit for `ocellus serve`; it names the program by the prefix that it is installed under,
# which `cmake --install --prefix` may set only then.
install(CODE "set(OC_BINDIR \"${CMAKE_INSTALL_BINDIR}\")
cmake_path(ABSOLUTE_PATH OC_BINDIR BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\" NORMALIZE)
configure_file(\"${CMAKE_SOURCE_DIR}/packaging/ocellus.service.in\"
  \"${CMAKE_CURRENT_BINARY_DIR}/ocellus.service\" @ONLY)")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ocellus.service DESTINATION lib/systemd/system)

# Completions are printed by the program itself, where it runs here.
function(oc_completion shell folder file)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/completions/${shell})
  add_custom_command(OUTPUT ${made} DEPENDS ocellus VERBATIM
    COMMAND ${CMAKE_COMMAND} -E make_directory completions
    COMMAND ocellus completion ${shell} > ${made})
  add_custom_target(completion_${shell} ALL DEPENDS ${made})
  add_dependencies(completions completion_${shell})
  install(FILES ${made} DESTINATION ${CMAKE_INSTALL_DATADIR}/${folder} RENAME ${file} OPTIONAL)
endfunction()
if(NOT CMAKE_CROSSCOMPILING)
  add_custom_target(completions)
  oc_completion(bash bash-completion/completions ocellus)
  oc_completion(zsh zsh/site-functions _ocellus)
  oc_completion(fish fish/vendor_completions.d ocellus.fish)
endif()
