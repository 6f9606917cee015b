"""Endpoints: for each platform, how a delivery is found authentic, read and answered."""

from ray_router.serve.endpoints.arrival import Arrival, NotAuthenticError
from ray_router.serve.endpoints.discord import DiscordEndpoint, DiscordSettings
from ray_router.serve.endpoints.endpoint import Endpoint, EndpointSettings, Surroundings
from ray_router.serve.endpoints.gchat import GoogleChatEndpoint, GoogleChatSettings
from ray_router.serve.endpoints.matrix import MatrixEndpoint, MatrixSettings
from ray_router.serve.endpoints.shared_token import SharedTokenEndpoint, SharedTokenSettings
from ray_router.serve.endpoints.slack import SlackEndpoint, SlackSettings
from ray_router.serve.endpoints.teams import TeamsEndpoint, TeamsSettings
from ray_router.serve.endpoints.telegram import TelegramEndpoint, TelegramSettings
from ray_router.serve.endpoints.whatsapp import WhatsAppEndpoint, WhatsAppSettings

__all__ = [
    "Arrival",
    "DiscordEndpoint",
    "DiscordSettings",
    "Endpoint",
    "EndpointSettings",
    "GoogleChatEndpoint",
    "GoogleChatSettings",
    "MatrixEndpoint",
    "MatrixSettings",
    "NotAuthenticError",
    "SharedTokenEndpoint",
    "SharedTokenSettings",
    "SlackEndpoint",
    "SlackSettings",
    "Surroundings",
    "TeamsEndpoint",
    "TeamsSettings",
    "TelegramEndpoint",
    "TelegramSettings",
    "WhatsAppEndpoint",
    "WhatsAppSettings",
]
