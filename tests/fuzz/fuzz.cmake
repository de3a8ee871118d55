# Each fuzz target twice: with libFuzzer in the fuzz preset, and in every build as a test that
# replays its corpus.
foreach(target specs world plan)
    if(TT_FUZZ)
        add_executable(fuzz_${target} tests/fuzz/fuzz_${target}.c)
        target_link_options(fuzz_${target} PRIVATE -fsanitize=fuzzer)
        target_link_libraries(fuzz_${target} tt_specs)
    endif()
    add_executable(replay_${target} tests/fuzz/fuzz_${target}.c tests/fuzz/replay.c)
    target_link_libraries(replay_${target} tt_specs)
    add_test(NAME replay_${target}
             COMMAND replay_${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target})
endforeach()
