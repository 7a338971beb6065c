"""An OpenAI-compatible server whose model says what it is told to."""

import json
import threading
from typing import Any

from tests.support.answering_server import Answered, AnsweringServer, Asked

MODEL = "wordsmith"


class ScriptedModel(AnsweringServer):
    """The server; used by `with`. It says `reply`, or fails with `status`; `asked` has the bodies of requests.

    It answers as long as `may_answer` is set.
    """

    def __init__(self, reply: str = "", *, finish: str = "stop", status: int = 200) -> None:
        super().__init__(self._answer)
        self.reply, self.finish, self.status = reply, finish, status
        self.asked: list[dict[str, Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def base_url(self) -> str:
        """Where clients find it."""
        return f"{self.url}/v1"

    @property
    def figures(self) -> list[str]:
        """What it was given to write from, in order."""
        return [body["messages"][0]["content"].partition("Figures:\n")[2] for body in self.asked]

    def _answer(self, asked: Asked) -> Answered:
        if asked.path.endswith("/models"):
            return _json({"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": 4_096}]})
        body = json.loads(asked.body)
        self.asked.append(body)
        self.may_answer.wait()
        if self.status != 200:
            return _json({"error": {"message": "the model is out"}}, self.status)
        sent = sum(len(str(each["content"]).split()) for each in body["messages"])
        said = len(self.reply.split())
        message = {"role": "assistant", "content": self.reply}
        usage = {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said}
        choice = {"index": 0, "finish_reason": self.finish}
        about = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL, "usage": usage}
        if body.get("stream"):
            chunk = about | {"object": "chat.completion.chunk", "choices": [choice | {"delta": message}]}
            events = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
            return Answered(events.encode(), 200, {"content-type": "text/event-stream"})
        return _json(about | {"choices": [choice | {"message": message}]})


def _json(document: object, status: int = 200) -> Answered:
    return Answered(json.dumps(document).encode(), status, {"content-type": "application/json"})
