"""A far end that is given files of comma-separated values in a bucket of S3, or of what speaks as S3 does.

Needs `pip install ringgate[s3]`.
"""

from __future__ import annotations

from datetime import datetime
from posixpath import basename
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ringgate.domain.integrations import Integration
from ringgate.integrations.observers.csv_files import CsvObserver
from ringgate.integrations.rows import ObserverError

TIMEOUT = 10.0
MOST = 10_000
"""Objects that are listed at most."""


class S3Observer(CsvObserver):
    """`address` is `s3://bucket/prefix`; `files` a pattern of names. `user` is the access key, `password` its
    secret; without them those of this machine are used. `endpoint` is where a server other than AWS's answers."""

    def __init__(self, integration: Integration, /) -> None:
        super().__init__(integration)
        self._client: Any = None

    def _files(self, since: datetime) -> list[tuple[str, bytes]]:
        told, parts = self._integration, urlsplit(self._integration.address)
        bucket, prefix = parts.hostname or "", unquote(parts.path.lstrip("/"))
        try:
            self._client = self._client or self._connected()
            return [(basename(each[0]), self._object(bucket, each)) for each in self._listed(bucket, prefix, since)]
        except ClientError as error:
            why = f"{error.response['Error']['Code']} {error.response['Error'].get('Message', '')}".strip()
            raise ObserverError(f"{told.name}: the bucket cannot be read: {why}") from None
        except (BotoCoreError, ValueError) as error:
            raise ObserverError(f"{told.name}: the bucket cannot be read: {error}") from None

    def _connected(self) -> Any:
        told = self._integration
        signed = {}
        if told.user and told.password:
            signed = {"aws_access_key_id": told.user, "aws_secret_access_key": told.password.reveal()}
        waits = Config(
            connect_timeout=TIMEOUT, read_timeout=TIMEOUT, retries={"total_max_attempts": 2},
            s3={"addressing_style": "path"} if told.settings.get("endpoint") else {},
        )  # fmt: skip
        return boto3.client(
            "s3", endpoint_url=told.settings.get("endpoint") or None,
            region_name=told.settings.get("region") or "us-east-1", config=waits, **signed,
        )  # fmt: skip

    def _listed(self, bucket: str, prefix: str, since: datetime) -> list[tuple[str, float, int]]:
        """Key, time of its last change and size of each that fits."""
        found: list[tuple[str, float, int]] = []
        listed = 0
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", ()):
                listed += 1
                changed, size = each["LastModified"].timestamp(), int(each["Size"])
                if self._fits(basename(each["Key"]), changed, size, since):
                    found.append((each["Key"], changed, size))
            if listed > MOST:
                raise ObserverError(f"{self._integration.name}: there are more than {MOST:,} objects under {prefix!r}")
        return sorted(found)

    def _object(self, bucket: str, known: tuple[str, float, int]) -> bytes:
        """One that was read before and has not changed since is not read again."""
        if known not in self._read_before:
            self._read_before[known] = self._client.get_object(Bucket=bucket, Key=known[0])["Body"].read()
        return self._read_before[known]

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
