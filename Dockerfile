# syntax=docker/dockerfile:1
# The server alone: a static binary in an otherwise empty image, run by nobody in particular.

FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS assets
WORKDIR /src
COPY console/assets console/assets
COPY scripts/assets.sh scripts/
RUN scripts/assets.sh

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=assets /src/console/assets/dist console/assets/dist
ARG TARGETOS TARGETARCH VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -mod=readonly -trimpath -buildvcs=false \
    -tags timetzdata -ldflags "-s -w -X main.version=$VERSION" -o /wishdesk ./cmd/wishdesk
RUN mkdir -p /empty

FROM scratch
# To check WeChat's certificates. Time zones are in the binary.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# Photos and recordings; a volume mounted here takes over the owner.
COPY --from=build --chown=65532:65532 /empty /data
COPY --from=build --chown=65532:65532 /empty /tmp
COPY --from=build /wishdesk /wishdesk
ENV WISHDESK_ADDR=0.0.0.0:8080 WISHDESK_DATA=/data
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["/wishdesk", "healthcheck"]
ENTRYPOINT ["/wishdesk"]
CMD ["serve", "--config", "/etc/wishdesk/wishdesk.yaml"]
