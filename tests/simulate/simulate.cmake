# As many simulated histories as one likes, on all cores: ./dev simulate.
file(GLOB simulate_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulate/*.c)
add_executable(simulate ${simulate_sources})
target_link_libraries(simulate tt_reconciler tt_sim)
