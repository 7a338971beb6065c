"""Where an installation runs is read whole, however often it is written at that moment."""

import threading

from usufruct.cli.support.instance_lock import hold_instance, running_instance


def test_a_reader_never_finds_half_a_place(tmp_path):
    ends = threading.Event()
    with hold_instance(tmp_path) as publish:
        publish({"url": "x" * 10})

        def publish_often() -> None:
            for length in range(10, 400):
                publish({"url": "x" * length})
            ends.set()

        writer = threading.Thread(target=publish_often)
        writer.start()
        while not ends.is_set():
            assert running_instance(tmp_path)["url"].strip("x") == ""
        writer.join()
    assert running_instance(tmp_path) is None


def test_the_next_holder_has_no_place_yet(tmp_path):
    with hold_instance(tmp_path) as publish:
        publish({"url": "http://127.0.0.1:1/v1"})
    with hold_instance(tmp_path):
        assert "url" not in running_instance(tmp_path)
