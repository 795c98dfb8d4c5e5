#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the pages say of the tests is there: each test that they name exists."""
import glob
import os
import re

import harness

PATHS = re.compile(r"\btests/[a-z0-9_/]+\.(?:py|c)\b")
NAMES = re.compile(r"`(test_[a-z0-9_]+\.py|[a-z0-9_]+_test\.c)`")


class Documents(harness.Test):

    def test_every_test_that_a_page_names_is_there(self):
        named = 0
        for page in glob.glob(harness.SOURCE + "/docs/*.md"):
            with open(page, encoding="utf-8") as file:
                text = file.read()
            paths = set(PATHS.findall(text))
            missing = [path for path in paths
                       if not os.path.exists(os.path.join(harness.SOURCE, path))]
            missing += [name for name in set(NAMES.findall(text))
                        if not glob.glob(f"{harness.SOURCE}/tests/*/{name}")]
            self.assertEqual(missing, [], os.path.basename(page))
            named += len(paths)
        self.assertGreater(named, 20)


if __name__ == "__main__":
    harness.main()
