# One image for both apps: the command names the one to run.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/crypto/package.json libs/crypto/
COPY libs/channel/package.json libs/channel/
COPY libs/envelope/package.json libs/envelope/
COPY libs/transport/package.json libs/transport/
COPY libs/brokers/package.json libs/brokers/
COPY apps/shared/package.json apps/shared/
COPY apps/server/package.json apps/server/
COPY apps/client/package.json apps/client/

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.base.json ./
COPY libs libs
COPY apps apps
RUN npm run --silent build

FROM manifests AS production
# No optional package is needed to run; one of them would be the compiler.
RUN npm ci --ignore-scripts --omit=dev --omit=optional
COPY --from=build /app/libs/crypto/dist libs/crypto/dist
COPY --from=build /app/libs/channel/dist libs/channel/dist
COPY --from=build /app/libs/envelope/dist libs/envelope/dist
COPY --from=build /app/libs/transport/dist libs/transport/dist
COPY --from=build /app/libs/brokers/dist libs/brokers/dist
COPY --from=build /app/apps/shared/dist apps/shared/dist
COPY --from=build /app/apps/server/dist apps/server/dist
COPY --from=build /app/apps/client/dist apps/client/dist
COPY --from=build /app/apps/client/page apps/client/page

# The broker of docker-compose.nats.yml, from Debian's package.
FROM ${NODE_IMAGE} AS nats
RUN apt-get update && apt-get install -y --no-install-recommends nats-server && rm -rf /var/lib/apt/lists/*
USER node
ENTRYPOINT ["/usr/sbin/nats-server"]
CMD ["--addr", "0.0.0.0", "--http_port", "8222"]

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
# What runs needs node alone: npm and its like would only serve an intruder.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
  /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn*
# A new volume takes owner and mode over from the directory that it is mounted on.
RUN install -d -o node -g node -m 0700 /keys
WORKDIR /app
COPY --from=production /app .
USER node
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["apps/server/dist/main.js"]
