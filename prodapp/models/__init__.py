"""The tables. One file an entity; importing this package registers them all."""

from prodapp.models.alarm_acceptance import AlarmAcceptance
from prodapp.models.audit_event import AuditEvent
from prodapp.models.callback_delivery import CallbackDelivery
from prodapp.models.champion_change import ChampionChange, ChangeKind
from prodapp.models.credentials import (
    ApiKey,
    ExternalIdentity,
    RecoveryCode,
    RefreshToken,
    SecondFactor,
    SignInLink,
    UserSession,
)
from prodapp.models.dataset import Dataset, DatasetState
from prodapp.models.machine import Machine
from prodapp.models.machine_variable import MachineVariable
from prodapp.models.mail_request import MailRequest
from prodapp.models.model_version import ModelVersion
from prodapp.models.prediction import Prediction
from prodapp.models.prediction_batch import BatchState, PredictionBatch
from prodapp.models.process_presence import ProcessPresence
from prodapp.models.received_message import ReceivedMessage
from prodapp.models.request_key import RequestKey
from prodapp.models.schedule import FileState, Schedule, ScheduledFile
from prodapp.models.site import Site
from prodapp.models.training_run import RunState, TrainingRun
from prodapp.models.user import User
from prodapp.models.variable_ranking import VariableRanking
from prodapp.models.webhook import DeliveryOutcome, Webhook, WebhookAttempt, WebhookDelivery

__all__ = [
    "AlarmAcceptance",
    "ApiKey",
    "AuditEvent",
    "BatchState",
    "CallbackDelivery",
    "ChampionChange",
    "ChangeKind",
    "Dataset",
    "DatasetState",
    "DeliveryOutcome",
    "ExternalIdentity",
    "FileState",
    "Machine",
    "MachineVariable",
    "MailRequest",
    "ModelVersion",
    "Prediction",
    "PredictionBatch",
    "ProcessPresence",
    "ReceivedMessage",
    "RecoveryCode",
    "RefreshToken",
    "RequestKey",
    "RunState",
    "Schedule",
    "ScheduledFile",
    "SecondFactor",
    "SignInLink",
    "Site",
    "TrainingRun",
    "User",
    "UserSession",
    "VariableRanking",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
]
