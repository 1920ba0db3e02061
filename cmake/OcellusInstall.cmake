# What `cmake --install` puts where.
install(TARGETS ocellus RUNTIME DESTINATION bin)
install(DIRECTORY include/ocellus DESTINATION include)
