# The programs that ./dev bench drives; built everywhere, so that they never rot.
foreach(program generate parse stages measure)
    add_executable(bench_${program} bench/${program}.c)
    target_link_libraries(bench_${program} tt_planner tt_specs)
endforeach()
add_executable(bench_members bench/members.c)
target_link_libraries(bench_members tt_ssh tt_proxies)
