# The agent's files become an array in C, so that the program carries them.
file(GLOB agent_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/providers/proxies/agent/*)
set(agent_source ${CMAKE_BINARY_DIR}/agent_files.c)
add_custom_command(
    OUTPUT ${agent_source}
    COMMAND ${CMAKE_COMMAND} -DOUT=${agent_source} "-DFILES=${agent_files}"
            -P ${CMAKE_SOURCE_DIR}/providers/proxies/embed.cmake
    DEPENDS ${agent_files} ${CMAKE_SOURCE_DIR}/providers/proxies/embed.cmake
    VERBATIM)
target_sources(tt_proxies PRIVATE ${agent_source})
