# As many simulated histories as one likes, on all cores: ./dev simulate; and each call of many
# applies spoilt in each way: ./dev torture.
file(GLOB simulate_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/simulate/*.c)
list(FILTER simulate_sources EXCLUDE REGEX "/(simulate|torture)\\.c$")
add_library(tt_simulate STATIC ${simulate_sources})
target_link_libraries(tt_simulate PUBLIC tt_reconciler tt_sim)
foreach(program simulate torture)
    add_executable(${program} tests/simulate/${program}.c)
    target_link_libraries(${program} tt_simulate)
endforeach()
