FROM python:3.13-slim

WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/runtime.txt

COPY . .
RUN pip install --no-cache-dir --no-deps . \
    && useradd --create-home sbx
USER sbx
WORKDIR /home/sbx
# A volume that is mounted here belongs to this user, too.
RUN mkdir -m 700 archive

ENTRYPOINT ["sbx"]
