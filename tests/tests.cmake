# The tests mirror the tree: tests/FOLDER/test_*.c is a cmocka program each, run by ctest.
enable_testing()
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

get_property(libraries GLOBAL PROPERTY TT_LIBRARIES)

# tt_tests(FOLDER LIBRARIES...): each test program links what its folder may know.
function(tt_tests folder)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/test_*.c)
    file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/support/*.c)
    set(shared "")
    if(support)
        set(shared tt_test_${folder})
        add_library(${shared} STATIC ${support})
        target_link_libraries(${shared} PUBLIC ${ARGN} PkgConfig::CMOCKA)
        target_compile_definitions(${shared} PRIVATE TT_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                   TT_BINARY_DIR="${CMAKE_BINARY_DIR}")
    endif()
    foreach(source ${tests})
        get_filename_component(name ${source} NAME_WE)
        add_executable(${name} ${source})
        target_link_libraries(${name} ${shared} ${ARGN} PkgConfig::CMOCKA)
        target_compile_definitions(${name} PRIVATE TT_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                   TT_BINARY_DIR="${CMAKE_BINARY_DIR}")
        add_test(NAME ${name} COMMAND ${name})
    endforeach()
endfunction()

tt_tests(base tt_base)
tt_tests(model tt_model)
tt_tests(specs tt_specs)
list(FILTER libraries EXCLUDE REGEX "tt_reconciler")
set(provider_libraries ${libraries})
list(FILTER provider_libraries INCLUDE REGEX
     "^tt_(base|model|providers|http|shell|proxies|local|file|sim|aws|cloudstack|openstack|ssh)$")
tt_tests(providers ${provider_libraries})

# What waits for processes does so on kernels without pidfds, too.
add_executable(old_kernel tests/providers/old_kernel.c)
foreach(test test_shell test_local)
    add_test(NAME ${test}_old_kernel COMMAND old_kernel $<TARGET_FILE:${test}>)
endforeach()

tt_tests(reconciler tt_reconciler ${libraries})
tt_tests(serve tt_serve)
foreach(test test_daemon test_daemon_many test_daemon_policy test_daemon_watch test_daemon_week)
    add_dependencies(${test} trimtab) # their runs are children of the program
endforeach()
target_link_libraries(test_daemon_week tt_web)

# As many generated cases as one likes, on all cores: ./dev prove.
add_executable(prove tests/prove/prove.c)
target_link_libraries(prove tt_test_reconciler)

# Whatever drives the program from outside: an executable script each, given the build folder.
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tree/*.sh
     ${CMAKE_SOURCE_DIR}/tests/e2e/test_*.sh ${CMAKE_SOURCE_DIR}/tests/clouds/*/test_*.sh
     ${CMAKE_SOURCE_DIR}/tests/simulate/test_*.sh)
foreach(script ${scripts})
    get_filename_component(folder ${script} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    get_filename_component(name ${script} NAME_WE)
    set(name ${folder}_${name})
    add_test(NAME ${name} COMMAND ${script} ${CMAKE_BINARY_DIR})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 COST 10) # they take longest: first
endforeach()

# A whole cloud is brought up for this one.
set_tests_properties(openstack_test_openstack PROPERTIES COST 20 TIMEOUT 1100)

include(tests/simulate/simulate.cmake)
include(tests/fuzz/fuzz.cmake)

# The provider contract on a real OpenStack: tests/clouds/openstack/test_openstack.sh starts both.
add_executable(conformance_openstack tests/clouds/openstack/conformance.c)
target_link_libraries(conformance_openstack tt_test_providers ${provider_libraries}
                      PkgConfig::CMOCKA)
