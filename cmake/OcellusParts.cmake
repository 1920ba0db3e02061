# The libraries we stand on: found here, and nowhere else. Required parts stop the build with the
# package to install; optional ones say what is lost.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(oc_part target module package)
  pkg_check_modules(${target} IMPORTED_TARGET ${module})
  if(NOT ${target}_FOUND)
    message(FATAL_ERROR "${module} not found: apt-get install ${package} (or run `make deps`)")
  endif()
  message(STATUS "part ${module} ${${target}_VERSION}")
endfunction()

oc_part(JANSSON jansson libjansson-dev)
oc_part(XXHASH libxxhash libxxhash-dev)
oc_part(TURBOJPEG libturbojpeg libturbojpeg0-dev)
oc_part(JPEG libjpeg libjpeg62-turbo-dev)
oc_part(SPNG spng libspng-dev)
oc_part(WEBP libwebp libwebp-dev)

find_package(OpenMP COMPONENTS C)
if(NOT OpenMP_C_FOUND)
  message(STATUS "part OpenMP missing: the engines run on one core")
endif()

find_path(DNNL_INCLUDE dnnl.h)
find_library(DNNL_LIBRARY dnnl)
if(DNNL_INCLUDE AND DNNL_LIBRARY)
  set(OC_HAVE_ONEDNN ON)
  message(STATUS "part oneDNN ${DNNL_LIBRARY}")
else()
  set(OC_HAVE_ONEDNN OFF)
  message(STATUS "part oneDNN missing (libdnnl-dev): only the slow reference engine is built")
endif()
