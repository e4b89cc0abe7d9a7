CREATE TABLE orchestrator_leader (
    seat BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    renewals BIGINT NOT NULL,
    holder TEXT NOT NULL,
    address TEXT NOT NULL
);
INSERT INTO orchestrator_leader (seat, epoch, renewals, holder, address) VALUES (1, 0, 0, '', '');
