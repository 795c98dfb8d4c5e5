#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests/mutants makes of a small file whose mutants are known, and of tests that kill some of them. Prints TAP."""
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, SOURCE + "/tests/e2e")
import tap  # noqa: E402

HEADER = """\
#include <stdbool.h>
#define LIMIT (5 + 5)
enum colour { RED, GREEN, BLUE };
bool is_small(int n);
enum colour colour_of(int n);
void put(int *place, int n);
"""
# Comments, strings and preprocessor lines hold what looks like code: none of it may be changed.
PIECES = '''\
#include "piece.h"
#define TWICE(n) ((n) < 0 ? 0 : 2 * \\
	(n))
static const char *const words[] = {
	[RED] = "n < 1 /* red */",
};
/* if (n < 1) return "&&"; */
bool is_small(int n)
{
	return n < LIMIT; // n < 2
}

enum colour colour_of(int n)
{
	if (n == 1 && words[0])
		return GREEN;
	return RED;
}

void put(int *place, int n)
{
	const char *text = "}; n++; \\" n < 1";

	(void)text;
	*place = n;
}
'''
MUTANTS = """\
piece.c:words:remove:[RED]="n < 1 /* red */",::1
piece.c:is_small:return:n<LIMIT:false:1
piece.c:is_small:return:n<LIMIT:true:1
piece.c:is_small:compare:<:<=:1
piece.c:is_small:compare:<:>=:1
piece.c:is_small:number:LIMIT:(LIMIT + 1):1
piece.c:is_small:number:LIMIT:(LIMIT - 1):1
piece.c:colour_of:drop:n==1:1:1
piece.c:colour_of:always:n==1&&words[0]:1:1
piece.c:colour_of:never:n==1&&words[0]:0:1
piece.c:colour_of:compare:==:!=:1
piece.c:colour_of:number:1:0:1
piece.c:colour_of:number:1:2:1
piece.c:colour_of:logic:&&:||:1
piece.c:colour_of:drop:words[0]:1:1
piece.c:colour_of:negate:words[0]:!:1
piece.c:colour_of:number:0:1:1
piece.c:colour_of:constant:GREEN:BLUE:1
piece.c:colour_of:constant:RED:GREEN:1
piece.c:put:remove:*place=n;::1
""".splitlines()
TEST = """\
#include "piece.h"
int main(void)
{
	int place = 0;

	put(&place, 7);
	return !(is_small(9) && !is_small(10) && colour_of(1) == GREEN && colour_of(2) == RED && %s);
}
"""
ALL = "place == 7"
DROPPED = "piece.c:colour_of:drop:words[0]:1:1"
SAME = f"{DROPPED}\twords[0] is never NULL\n"
LOOP = "void wait_for(int n);\nvoid wait_for(int n)\n{\n\twhile (n > 0)\n\t\tn--;\n}\n"
LOOP_TEST = "void wait_for(int n);\nint main(void)\n{\n\twait_for(3);\n\treturn 0;\n}\n"


def run(*options, source=PIECES, test=TEST % ALL, equivalent=SAME):
    """The exit status and the output for a tree of one file and one test."""
    with tempfile.TemporaryDirectory() as tree:
        files = {"piece.h": HEADER, "piece.c": source, "piece_test.c": test, "tests/mutants/equivalent.tsv": equivalent,
                 "tests/mutants/subjects.tsv": "piece.c\tpiece_test.c\tlibpiece.a\t\n"}
        os.makedirs(tree + "/tests/mutants")
        os.mkdir(tree + "/build")
        for path, text in files.items():
            with open(f"{tree}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        compiler = os.environ.get("CC", "cc").split()
        for name in ("piece", "piece_test"):
            subprocess.run([*compiler, "-c", "-o", f"build/{name}.o", f"{name}.c"], cwd=tree, check=True)
        subprocess.run(["ar", "rcs", "build/libpiece.a", "build/piece.o"], cwd=tree, check=True)
        environment = {**os.environ, "CLOUDINVITE_DEFS": "-I.", "CLOUDINVITE_CFLAGS": ""}
        done = subprocess.run([SOURCE + "/tests/mutants/mutants.py", "--root", tree, "--build", tree + "/build",
                               *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
                              check=False)
        return done.returncode, done.stdout


def listed(source):
    return [line for line in run("--list", source=source)[1].splitlines() if line.startswith("piece.c:")]


class Mutants(tap.Test):

    def test_code_is_changed_and_comments_strings_and_directives_are_not(self):
        self.assertEqual(sorted(listed(PIECES)), sorted(MUTANTS))

    def test_names_do_not_depend_on_lines_and_on_other_functions(self):
        other = PIECES.replace("bool is_small", "/* moved */\nint other(int n)\n{\n\treturn n < 3;\n}\n\nbool is_small")
        self.assertLess(set(MUTANTS), set(listed(other)))

    def test_tests_that_kill_all_pass(self):
        status, output = run()
        self.assertEqual((status, output.splitlines()[-1]), (0, "mutants: 3 passed, 0 failed"), output)
        self.assertIn("killed 19 of 19 (100.0 %)", output)

    def test_a_survivor_is_shown_with_its_line_and_too_many_fail(self):
        status, output = run(test=TEST % "1")
        self.assertEqual((status, output.splitlines()[-1]), (1, "mutants: 2 passed, 1 failed"), output)
        self.assertIn("# piece.c:put:remove:*place=n;::1\n#   piece.c:25\n#   -*place = n;\n#   +;\n", output)
        self.assertIn("killed 18 of 19 (94.7 %)", output)

    def test_a_listed_mutant_that_is_killed_is_an_error(self):
        status, output = run(equivalent=SAME + "piece.c:put:remove:*place=n;::1\tnot so\n")
        self.assertEqual(status, 1, output)
        self.assertIn("# piece.c:put:remove:*place=n;::1: killed by piece_test", output)

    def test_a_listed_mutant_that_is_gone_is_an_error(self):
        status, output = run("--sample", "2", equivalent=SAME + "piece.c:gone:compare:<:<=:1\tthe same\n")
        self.assertEqual(status, 1, output)
        self.assertIn("# piece.c:gone:compare:<:<=:1: there is no such mutant", output)

    def test_a_listed_mutant_without_a_reason_is_an_error(self):
        status, output = run(equivalent=DROPPED + "\n")
        self.assertEqual(status, 1, output)
        self.assertIn(f"# {DROPPED}: has no reason", output)

    def test_an_endless_loop_is_killed(self):
        name = "piece.c:wait_for:remove:n--;::1"
        status, output = run("--id", name, source=LOOP, test=LOOP_TEST, equivalent="")
        self.assertEqual(status, 0, output)
        self.assertIn(f"{name}: too long by piece_test", output)

    def test_a_mutant_that_does_not_compile_is_not_counted(self):
        source = PIECES.replace("*place = n;", "*place = n;\n\t_Static_assert(1 + 1 == 2, \"\");")
        status, output = run(source=source)
        self.assertEqual(status, 0, output)
        self.assertIn("killed 19 of 19 (100.0 %)", output)
        self.assertNotIn("\n0 more do not compile", output)

    def test_one_mutant_is_run_and_shown(self):
        status, output = run("--id", "piece.c:colour_of:constant:GREEN:BLUE:1")
        self.assertEqual(status, 0, output)
        self.assertIn("  piece.c:16\n  -return GREEN;\n  +return BLUE;\n", output)
        self.assertIn("piece.c:colour_of:constant:GREEN:BLUE:1: killed by piece_test", output)

    def test_the_same_seed_draws_the_same_sample(self):
        draws = [run("--list", "--sample", "5", "--seed", seed)[1] for seed in ("one", "one", "two")]
        self.assertEqual(draws[0], draws[1])
        self.assertNotEqual(draws[0], draws[2])
        self.assertEqual(draws[0].count("\npiece.c:") + 1, 5)

    def test_tests_that_fail_without_a_change_end_the_run(self):
        status, output = run(test=TEST % "0")
        self.assertEqual((status, output.splitlines()[-1]), (1, "mutants: 0 passed, 1 failed"), output)
        self.assertIn("# piece_test: fails before anything is changed", output)


if __name__ == "__main__":
    tap.main()
