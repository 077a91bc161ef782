"""The peer WeRoBot as its documentation deploys it: `robot.run(server=…)`, no session storage."""

import os

import werobot

robot = werobot.WeRoBot(
    token=os.environ["BENCH_TOKEN"],
    app_id=os.environ["BENCH_APPID"],
    encoding_aes_key=os.environ["BENCH_AES_KEY"],
)
robot.config["SESSION_STORAGE"] = False
REPLY = os.environ["BENCH_REPLY"]


@robot.text
def answer() -> str:
    return REPLY


if __name__ == "__main__":
    robot.run(
        server=os.environ["BENCH_SERVER"], host="127.0.0.1", port=int(os.environ["BENCH_PORT"])
    )
