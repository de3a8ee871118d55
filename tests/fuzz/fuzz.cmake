# Each fuzz target twice: with libFuzzer in the fuzz preset, and in every build as a test that
# replays its corpus. Those of providers get their replies from the input instead of a network.
function(tt_fuzz target)
    if(TT_FUZZ)
        add_executable(fuzz_${target} tests/fuzz/fuzz_${target}.c)
        target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
    endif()
    add_executable(replay_${target} tests/fuzz/fuzz_${target}.c tests/fuzz/replay.c)
    add_test(NAME replay_${target}
             COMMAND replay_${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target})
    foreach(program fuzz_${target} replay_${target})
        if(TARGET ${program})
            target_link_libraries(${program} ${ARGN})
        endif()
    endforeach()
endfunction()

foreach(target specs world plan)
    tt_fuzz(${target} tt_specs)
endforeach()
add_library(tt_fuzz_replies OBJECT tests/fuzz/replies.c)
foreach(target aws cloudstack openstack)
    tt_fuzz(${target} $<TARGET_OBJECTS:tt_fuzz_replies> -Wl,--wrap=tt_http_call tt_${target}
            tt_providers)
endforeach()
tt_fuzz(webhook tt_serve)
