import pathlib
import tempfile
import unittest


def count(path):
    return len(pathlib.Path(path).read_text().split())


class Count(unittest.TestCase):
    def test_words(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("one two\nthree\n")
            file.flush()
            self.assertEqual(count(file.name), 3)
