# From the log of ctest to numbers: "passed failed skipped", then the name of each skipped test.
# Knows the lines of cmocka ("[       OK ] name"), of our scripts ("ok - what", "skip - what") and
# of ctest itself ("Test Passed."), which alone counts for a test that said nothing.
function seen(what) {
    total[what]++
    here++
}

/^\[==========\] Running/ { summary = 0 }
/^\[==========\] .* run\./ { summary = 1 }
summary == 0 && /^\[       OK \] / { seen("passed") }
summary == 0 && /^\[  (FAILED|ERROR ) +\] / { seen("failed"); failures++ }
summary == 0 && /^\[  SKIPPED \] / { seen("skipped"); names[++skips] = $4 }

/^ok - / { seen("passed") }
/^not ok - / { seen("failed"); failures++ }
/^skip - / { seen("skipped"); names[++skips] = substr($0, 8) }

/^Test (Passed|Failed|Skipped)\.$/ {
    if ($2 == "Passed." && here == 0)
        total["passed"]++
    if ($2 == "Failed." && failures == 0)
        total["failed"]++
    if ($2 == "Skipped." && here == 0) {
        total["skipped"]++
        names[++skips] = "a whole test program"
    }
    here = failures = summary = 0
}

END {
    print total["passed"] + 0, total["failed"] + 0, total["skipped"] + 0
    for (i = 1; i <= skips; i++)
        print "  " names[i]
}
