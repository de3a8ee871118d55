"""The account as an independent client sees it: boto3, with its own key.

The double (cloud.py) runs it, since boto3 takes long to start; it asks by HTTP as anyone would.
Commands and their arguments:

    servers               "slot zone state" of each machine with our marks that is not terminated
    count                 how many of those
    attributes            "image-name type group key subnet-name" of each, each different line once
    ids TAG=VALUE         the instance ids of those that run and have that tag
    id SLOT               the instance id of a slot
    members BALANCER      slots in a classic balancer, or with "tg/NAME" in a target group
    zones BALANCER        its zones; of "lb/NAME", those of an application balancer
    terminate SLOT | stop SLOT | protect SLOT | release SLOT
    deregister BALANCER SLOT | enable-zone BALANCER ZONE | disable-zone BALANCER ZONE
    stray NAME            makes a machine without marks, tells its id
    state ID              its state
    tags ID               "key=value" of each tag of ours, sorted
    holder ADDRESS        the slot or Name that has the address
"""

import boto3

REGION = "us-east-1"


class Account:
    def __init__(self, port, key, secret):
        def client(service):
            return boto3.client(
                service,
                region_name=REGION,
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id=key,
                aws_secret_access_key=secret,
            )

        self.ec2, self.elb, self.elbv2 = client("ec2"), client("elb"), client("elbv2")

    @staticmethod
    def tags_of(thing):
        return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}

    def machines(self):
        for page in self.ec2.get_paginator("describe_instances").paginate():
            for reservation in page["Reservations"]:
                for instance in reservation["Instances"]:
                    yield instance

    def owned(self):
        found = []
        for instance in self.machines():
            tags = self.tags_of(instance)
            if "trimtab:owner" in tags and instance["State"]["Name"] != "terminated":
                found.append((int(tags.get("trimtab:slot", -1)), instance))
        return sorted(found, key=lambda pair: pair[0])

    def slots(self):
        return {i["InstanceId"]: str(slot) for slot, i in self.owned()}

    def servers(self):
        return [
            f'{slot} {i["Placement"]["AvailabilityZone"]} {i["State"]["Name"]}'
            for slot, i in self.owned()
        ]

    def count(self):
        return [len(self.owned())]

    def attributes(self):
        images = {i["ImageId"]: i["Name"] for i in self.ec2.describe_images()["Images"]}
        subnets = {
            s["SubnetId"]: self.tags_of(s).get("Name", "-")
            for s in self.ec2.describe_subnets()["Subnets"]
        }
        lines = {
            " ".join(
                [
                    images[i["ImageId"]],
                    i["InstanceType"],
                    ",".join(g["GroupName"] for g in i["SecurityGroups"]),
                    i.get("KeyName", "-"),
                    subnets[i["SubnetId"]],
                ]
            )
            for _, i in self.owned()
        }
        return sorted(lines)

    def find(self, slot):
        return [i["InstanceId"] for s, i in self.owned() if s == int(slot)][0]

    def id(self, slot):
        return [self.find(slot)]

    def ids(self, tag):
        name, value = tag.split("=")
        return [
            i["InstanceId"]
            for i in self.machines()
            if i["State"]["Name"] == "running" and self.tags_of(i).get(name) == value
        ]

    def group(self, name):
        found = self.elbv2.describe_target_groups(Names=[name[3:]])
        return found["TargetGroups"][0]["TargetGroupArn"]

    def members(self, balancer):
        if balancer.startswith("tg/"):
            health = self.elbv2.describe_target_health(TargetGroupArn=self.group(balancer))
            ids = [t["Target"]["Id"] for t in health["TargetHealthDescriptions"]]
        else:
            found = self.elb.describe_load_balancers(LoadBalancerNames=[balancer])
            ids = [i["InstanceId"] for i in found["LoadBalancerDescriptions"][0]["Instances"]]
        slots = self.slots()
        # moto lists a machine as often as it was registered, AWS once
        return [" ".join(sorted(slots.get(name, name) for name in set(ids)))]

    def zones(self, balancer):
        if balancer.startswith("lb/"):
            found = self.elbv2.describe_load_balancers(Names=[balancer[3:]])["LoadBalancers"][0]
            names = [zone["ZoneName"] for zone in found["AvailabilityZones"]]
        else:
            found = self.elb.describe_load_balancers(LoadBalancerNames=[balancer])
            names = found["LoadBalancerDescriptions"][0]["AvailabilityZones"]
        return [" ".join(sorted(names))]

    def terminate(self, slot):
        self.ec2.terminate_instances(InstanceIds=[self.find(slot)])

    def stop(self, slot):
        self.ec2.stop_instances(InstanceIds=[self.find(slot)])

    def protect(self, slot, on=True):
        self.ec2.modify_instance_attribute(
            InstanceId=self.find(slot), DisableApiTermination={"Value": on}
        )

    def release(self, slot):
        self.protect(slot, False)

    def deregister(self, balancer, slot):
        if balancer.startswith("tg/"):
            self.elbv2.deregister_targets(
                TargetGroupArn=self.group(balancer), Targets=[{"Id": self.find(slot)}]
            )
        else:
            self.elb.deregister_instances_from_load_balancer(
                LoadBalancerName=balancer, Instances=[{"InstanceId": self.find(slot)}]
            )

    def set_zone(self, balancer, zone, there):
        if balancer.startswith("lb/"):
            found = self.elbv2.describe_load_balancers(Names=[balancer[3:]])["LoadBalancers"][0]
            subnets = [z["SubnetId"] for z in found["AvailabilityZones"] if z["ZoneName"] != zone]
            if there:
                of_zone = self.ec2.describe_subnets(
                    Filters=[{"Name": "availability-zone", "Values": [zone]}]
                )["Subnets"]
                subnets.append(of_zone[0]["SubnetId"])
            self.elbv2.set_subnets(LoadBalancerArn=found["LoadBalancerArn"], Subnets=subnets)
        elif there:
            self.elb.enable_availability_zones_for_load_balancer(
                LoadBalancerName=balancer, AvailabilityZones=[zone]
            )
        else:
            self.elb.disable_availability_zones_for_load_balancer(
                LoadBalancerName=balancer, AvailabilityZones=[zone]
            )

    def enable_zone(self, balancer, zone):
        self.set_zone(balancer, zone, True)

    def disable_zone(self, balancer, zone):
        self.set_zone(balancer, zone, False)

    def stray(self, name):
        image = self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["web-1"]}])
        made = self.ec2.run_instances(
            ImageId=image["Images"][0]["ImageId"],
            InstanceType="m5.large",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}
            ],
        )
        return [made["Instances"][0]["InstanceId"]]

    def state(self, name):
        return [i["State"]["Name"] for i in self.machines() if i["InstanceId"] == name]

    def tags(self, name):
        for instance in self.machines():
            if instance["InstanceId"] == name:
                tags = self.tags_of(instance)
                return sorted(f"{k}={v}" for k, v in tags.items() if ":" in k)
        return []

    def holder(self, address):
        found = self.ec2.describe_addresses(PublicIps=[address])["Addresses"][0].get("InstanceId")
        names = {i["InstanceId"]: self.tags_of(i).get("Name", "-") for i in self.machines()}
        return [names.get(found, "nobody")]

    def run(self, command, *arguments):
        """Its lines as one text."""
        lines = getattr(self, command.replace("-", "_"))(*arguments) or []
        return "".join(f"{line}\n" for line in lines)
