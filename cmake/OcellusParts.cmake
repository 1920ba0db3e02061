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
oc_part(JPEG libjpeg libjpeg62-turbo-dev)
oc_part(SPNG spng libspng-dev)
oc_part(WEBP libwebp libwebp-dev)
oc_part(MICROHTTPD libmicrohttpd libmicrohttpd-dev)
oc_part(GNUTLS gnutls libgnutls28-dev)
oc_part(SQLITE sqlite3 libsqlite3-dev)
oc_part(ZLIB zlib zlib1g-dev)

# Optional, and read by interop alone: Keras' weights.
option(OC_HDF5 "read Keras' weights where libhdf5 is found" ON)
set(OC_HAVE_HDF5 OFF)
if(OC_HDF5)
  pkg_check_modules(HDF5 IMPORTED_TARGET hdf5)
  set(OC_HAVE_HDF5 ${HDF5_FOUND})
endif()
if(OC_HAVE_HDF5)
  message(STATUS "part hdf5 ${HDF5_VERSION}")
else()
  message(STATUS "part hdf5 missing (libhdf5-dev) or switched off: weights that Keras saved (.h5) "
    "cannot be read")
endif()

# Optional: photos in an LMDB, as Caffe's convert_imageset makes them.
option(OC_LMDB "read LMDB where liblmdb is found" ON)
set(OC_HAVE_LMDB OFF)
if(OC_LMDB)
  pkg_check_modules(LMDB IMPORTED_TARGET lmdb)
  set(OC_HAVE_LMDB ${LMDB_FOUND})
endif()
if(OC_HAVE_LMDB)
  message(STATUS "part lmdb ${LMDB_VERSION}")
else()
  message(STATUS "part lmdb missing (liblmdb-dev) or switched off: photos in an LMDB (Caffe's Data "
    "layer) are not read")
endif()

find_package(OpenMP COMPONENTS C)
if(OpenMP_C_FOUND)
  message(STATUS "part OpenMP ${OpenMP_C_VERSION}")
else()
  message(STATUS "part OpenMP missing (gcc has it; for clang: apt-get install libomp-dev): the "
    "reference engine, and what the fast one does between oneDNN's calls, run on one core")
endif()

# oneDNN, where the system has it or under -DDNNL_ROOT=PREFIX or CMAKE_PREFIX_PATH. Its C API
# changed between 2.x and 3.x: OC_DNNL_MAJOR chooses src/engine/onednn/dnn2.c or dnn3.c.
option(OC_ONEDNN "build the oneDNN engine where the library is found" ON)
set(OC_HAVE_ONEDNN OFF)
if(OC_ONEDNN)
  find_path(DNNL_INCLUDE dnnl.h HINTS ${DNNL_ROOT} ENV DNNL_ROOT PATH_SUFFIXES include)
  find_library(DNNL_LIBRARY dnnl HINTS ${DNNL_ROOT} ENV DNNL_ROOT PATH_SUFFIXES lib lib64)
  if(DNNL_INCLUDE AND DNNL_LIBRARY)
    set(OC_HAVE_ONEDNN ON)
  endif()
endif()

# The version as its header has it: dnnl_version.h, or the one that this includes.
function(oc_dnnl_version out)
  foreach(header oneapi/dnnl/dnnl_version.h dnnl_version.h)
    if(EXISTS ${DNNL_INCLUDE}/${header})
      file(STRINGS ${DNNL_INCLUDE}/${header} lines
        REGEX "^#define DNNL_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
      list(TRANSFORM lines REPLACE "^.* " "")
      list(JOIN lines "." version)
      if(version)
        set(${out} ${version} PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
  message(FATAL_ERROR "no version found in dnnl_version.h under ${DNNL_INCLUDE}: is this oneDNN's "
    "include folder? Give its prefix with -DDNNL_ROOT=, or build without it: -DOC_ONEDNN=OFF")
endfunction()

if(OC_HAVE_ONEDNN)
  oc_dnnl_version(OC_DNNL_VERSION)
  string(REGEX MATCH "^[0-9]+" OC_DNNL_MAJOR ${OC_DNNL_VERSION})
  if(NOT OC_DNNL_MAJOR MATCHES "^[23]$")
    message(FATAL_ERROR "oneDNN ${OC_DNNL_VERSION} in ${DNNL_INCLUDE}: 2.x or 3.x is needed. Give "
      "the prefix of one with -DDNNL_ROOT=, or build without it: -DOC_ONEDNN=OFF")
  endif()
  message(STATUS "part oneDNN ${OC_DNNL_VERSION} ${DNNL_LIBRARY}")
else()
  message(STATUS "part oneDNN missing (libdnnl-dev) or switched off: only the reference engine is "
    "built, which trains and predicts tens of times slower")
endif()
