"""Results, states and events to an MQTT broker, which may come, go and come again."""

import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from stopline.runtime.closing import Closing
from stopline.runtime.events import Event
from stopline.runtime.frame import Result
from stopline.runtime.sinks.broker import Broker, Topics
from stopline.runtime.sinks.json_lines import event_json, result_json

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

KEEPALIVE_S = 10  # a broker tells our last will after 1.5 times as long
FIRST_WAIT_S = 5.0  # for the first connection, before it counts as failed
ROOM_WAIT_S = 1.0  # for a broker that is behind
CONNECT_S = 3.0
GOODBYE_S = 1.0
RECONNECT_S = (1, 30)  # doubled from the first to the last
MOST_UNSENT = 200  # results that the socket has not taken
MOST_EVENTS = 1000  # that wait for a broker to be back


class Mqtt(Closing):
    """Publishes `<prefix>/<camera>/result`, `<camera>/state`, `<prefix>/event` and `/status`.

    Results go with QoS 0: while there is no broker they are lost, and counted; one that came
    late would be of no use. Events go with QoS 1, and wait for the broker. State and status are
    retained and go with QoS 0, anew at each connection: a QoS 1 message that is sent again could
    put an older state over a newer one.
    """

    name = "mqtt"
    wants_images = False

    def __init__(self, broker: Broker) -> None:
        """Begin to connect; a broker that is not there (yet) is no error.

        Raises ImportError without paho-mqtt, OSError if there is no such file of certificates.
        """
        self._broker = broker
        self._topics = Topics()
        self._states: dict[str, str] = {}  # by camera
        self._telling = threading.Lock()  # one state at a time, the newest last
        self._unsent: deque[MQTTMessageInfo] = deque()
        self._last_event: MQTTMessageInfo | None = None
        self._answered = threading.Event()  # by the broker or by the network
        self._connected = False
        self._why = "no answer"
        self._client = _client(broker)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.connect_async(broker.host, broker.port, KEEPALIVE_S)
        self._client.loop_start()

    def write(self, result: Result) -> None:
        """Publish; raises OSError where no broker takes it."""
        self._tell_state(result.camera, result.state.value)
        self._await_broker()
        topic = f"{self._broker.prefix}/{self._topics[result.camera]}/result"
        self._unsent.append(self._client.publish(topic, result_json(result)))

    def tell(self, event: Event) -> None:
        """Publish, or have it wait for the broker; raises OSError if too many do."""
        told = self._client.publish(f"{self._broker.prefix}/event", event_json(event), qos=1)
        if told.rc == _queue_is_full():
            raise OSError(f"{self._whom}: {MOST_EVENTS} events wait for it, no room for more")
        self._last_event = told

    def close(self) -> None:
        """Say goodbye, with no state left that nobody looks after; done in a bounded time."""
        if self._client.is_connected():
            with self._telling:
                for camera in self._states:
                    self._retain(f"{self._topics[camera]}/state", "")
                self._retain("status", "offline")
            last = [self._unsent[-1]] + ([] if self._last_event is None else [self._last_event])
            for message in last:
                _await(message, GOODBYE_S)
        self._client.disconnect()
        # It waits for paho's thread, and that perhaps for a network that does not answer.
        stopping = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopping.start()
        stopping.join(GOODBYE_S)

    @property
    def _whom(self) -> str:
        return f"MQTT broker {self._broker.host}:{self._broker.port}"

    def _await_broker(self) -> None:
        # Only for the first: a run over files must not be over before the broker has answered.
        if not self._answered.wait(FIRST_WAIT_S):
            self._answered.set()
        if not self._client.is_connected():
            raise OSError(f"{self._whom} is not there: {self._why}")
        while self._unsent and _sent(self._unsent[0]):
            self._unsent.popleft()
        if len(self._unsent) >= MOST_UNSENT and not _await(self._unsent[0], ROOM_WAIT_S):
            raise OSError(f"{self._whom} takes nothing: {MOST_UNSENT} results wait for it")

    def _tell_state(self, camera: str, state: str) -> None:
        if self._states.get(camera) == state:
            return
        with self._telling:
            self._states[camera] = state
            if self._client.is_connected():
                self._retain(f"{self._topics[camera]}/state", state)

    def _retain(self, topic: str, payload: str) -> None:
        told = self._client.publish(f"{self._broker.prefix}/{topic}", payload, retain=True)
        self._unsent.append(told)

    def _on_connect(
        self, client: "Client", data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        """In paho's thread. All that is retained is told anew: the broker may be another one."""
        self._connected = not reason.is_failure
        if self._connected:
            with self._telling:
                self._retain("status", "online")
                for camera, state in self._states.items():
                    self._retain(f"{self._topics[camera]}/state", state)
        else:
            self._why = str(reason)
        self._answered.set()

    def _on_connect_fail(self, client: "Client", data: Any) -> None:
        # paho calls this while it handles the error, and does not pass it on.
        self._why = str(sys.exc_info()[1] or "it cannot be reached")
        self._answered.set()

    def _on_disconnect(
        self, client: "Client", data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if self._connected:  # else it is the end of one that was refused, which says more
            self._why = f"the connection ended ({reason})"
        self._connected = False


def _client(broker: Broker) -> "Client":
    try:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion
    except ImportError as error:
        raise ImportError(f"{error}: `pip install 'stopline[mqtt]'` brings MQTT") from error
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect_timeout = CONNECT_S
    client.max_queued_messages_set(MOST_EVENTS)
    client.reconnect_delay_set(*RECONNECT_S)
    client.will_set(f"{broker.prefix}/status", "offline", qos=1, retain=True)
    if broker.user is not None:
        client.username_pw_set(broker.user, broker.password)
    if broker.encrypted:
        if broker.authorities is not None:
            broker.authorities.open("rb").close()  # names the file where ssl would not
        client.tls_set(None if broker.authorities is None else str(broker.authorities))
    return client


def _queue_is_full() -> int:
    from paho.mqtt.enums import MQTTErrorCode

    return MQTTErrorCode.MQTT_ERR_QUEUE_SIZE


def _sent(message: "MQTTMessageInfo") -> bool:
    """Or lost: its connection ended."""
    try:
        return message.is_published()
    except (RuntimeError, ValueError):
        return True


def _await(message: "MQTTMessageInfo", within_s: float) -> bool:
    try:
        message.wait_for_publish(within_s)
    except (RuntimeError, ValueError):
        return True
    return message.is_published()
