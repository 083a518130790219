-- set: a user belongs to an organisation from now on, or in another role
INSERT INTO members ({columns}) VALUES (?, ?, ?, ?)
ON CONFLICT (organization, account) DO UPDATE SET role = excluded.role;

-- remove: a user belongs to an organisation no longer
DELETE FROM members WHERE organization = ? AND account = ?;

-- list: who belongs to an organisation
SELECT {columns} FROM members WHERE organization = ? ORDER BY account;

-- roles: the organisations that a user belongs to
SELECT organization, role FROM members WHERE account = ?;
